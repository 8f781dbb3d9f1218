"""Trying to break the promise: processes killed at named points, times an upstream that fails, times seeds.

Each run is a small panel of its own, with its own database and its own sandbox provider. A forked process, the victim,
does one piece of work there and is killed with SIGKILL at a named point of it, while the provider fails in a named way.
Then time passes, the jobs run again, and what the panel holds is compared with the provider's journal and with the
books. `python -m torture --help`; docs/reliability.md says what it shows and what it found.

This package is no part of the product: nothing imports it, and the product knows nothing of it. It reaches the points
by wrapping the product's own functions inside the victim.
"""
