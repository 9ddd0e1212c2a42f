"""What a forked process has imported already: every command, and what it runs with."""

import gc
import importlib
import pkgutil

import bothways.cli

for _each in pkgutil.iter_modules(bothways.cli.__path__):
    importlib.import_module(f"bothways.cli.{_each.name}")
# What is there now is the same in all of them: the collector need not touch it, which would copy it.
gc.freeze()
