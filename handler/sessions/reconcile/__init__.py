"""The reconciler: observe a guild, plan, apply. `run` is one run of it."""
