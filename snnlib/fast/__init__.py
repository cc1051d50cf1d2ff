"""Faster versions of single steps: C for the CPU, graphs for CUDA. Without this folder results are the same."""
