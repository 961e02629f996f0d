"""Answers for what moto does not do, one file per service."""
