"""Emulators of the vendors, and the people who use them: everything Doorman needs to run without an account anywhere."""
