"""Values, ports and pure decisions of Doorman. Standard library only; no I/O."""
