"""Years of cycling: every cycle solved, or slow states carried over many of them."""
