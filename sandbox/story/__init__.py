"""The demo: the product's main job played through, each step checked against what the emulators hold, never against our own rows."""

from sandbox.story.play import play

__all__ = ["play"]
