"""Couriers: the ways a sold lead reaches its buyer. Found by the entry points of ``leadmill.couriers``."""
