"""From records to tables, figures, verdicts and an audit. The method does not depend on it."""
