"""From an arm and a seed to a record: experiments, searches, runs, queues. The method does not depend on it."""
