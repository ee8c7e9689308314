"""A logger for Slack's own libraries. They write whole requests and answers down, tokens and all, so nothing of theirs is said."""

import logging

logger = logging.getLogger("adapters.slack.sdk")
"""To be handed to every object of slack_sdk and slack_bolt that takes one. What is worth knowing their callers say themselves."""
logger.addFilter(lambda _record: False)
