"""Stripe behind the payment port: the only home of its SDK."""
