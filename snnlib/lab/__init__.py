"""From an arm and a seed to a record: experiments, searches, runs, queues. The method needs none of it."""
