"""The processes: settings, wiring, telemetry, the embedded default."""
