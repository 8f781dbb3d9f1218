"""Mutation testing: small faults are put into the code that must not be wrong, and some test must fail for each.

    mutations.py    the faults: which changes of a module are tried
    insertion.py    one fault put into the loaded module, without loading it anew
    trial.py        a pytest plugin: runs the tests once as they are, then forks a child for each fault
    __main__.py     `make mutants`: the modules, their tests, and the report against docs/mutants.md
"""
