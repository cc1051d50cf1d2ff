"""What only makes it faster: C for the CPU, graphs for CUDA. Without this folder everything is slower and the same."""
