"""Mends for what moto does wrong, one file per service."""
