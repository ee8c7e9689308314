"""Measurements that stand behind decisions; each runs as ``python -m benchmarks.<name>`` and knows ``--json``."""
