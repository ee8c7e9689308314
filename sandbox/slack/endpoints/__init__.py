"""The Web API's methods, a module for each family: https://docs.slack.dev/reference/methods."""
