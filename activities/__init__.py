"""Every side effect: one class per capability, its dependencies injected."""
