"""Switcher networks: mining a network's weights to choose its structure.

A switcher reads the weights of a task network and returns one scaling factor a neuron. The modules
follow the flow of the data: data, networks, packing, switcher, switched, training, compaction,
metrics, records, experiments, tables, figures.
"""

__version__ = "0.2.0"
