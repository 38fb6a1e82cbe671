"""Deterministic drivers: they decide nothing that the kernel can decide."""
