"""Messengers: the channels of follow-up. Found by the entry points of ``leadmill.messengers``."""
