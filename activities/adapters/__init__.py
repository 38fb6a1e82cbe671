"""One file per outside system, named `system_role.py`. Adapters do not know each other."""
