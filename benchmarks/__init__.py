"""Measured speed and memory: ratios to plain PyTorch, taken in one run. Nothing here is a test."""
