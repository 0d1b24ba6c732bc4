"""Vendors of consent certificates: TrustedForm and Jornaya."""
