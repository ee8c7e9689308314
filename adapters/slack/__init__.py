"""Slack: channels and user groups in workspaces, a slash command, an install page, and Sign in with Slack."""
