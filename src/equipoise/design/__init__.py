"""Capacity balancing: what to weigh, where each electrode stands, what it costs."""
