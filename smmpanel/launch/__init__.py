"""What `make run` does: make the virtual environment, prepare the data folder, and run all processes as one.

    make_venv.py    before anything is installed: .venv with the locked requirements (standard library alone)
    __main__.py     the order of a start: check, lock the folder, prepare it, run the Procfile
    prepare.py      migrate and collect the static files, in a process of its own
    crew.py         the processes, under honcho: started together, stopped in order, gone within 15 seconds
    keeper.py       around each of them: ends it when the launcher is gone, however that happened
    lifeline.py     the lock by which keepers, and a second launcher, know that a launcher lives
    ports.py        ports: is the panel's own free, and one for the sandbox that stays the same
    embedded.py     becomes the bundled Valkey
    ready.py        loads the demo once the sandbox answers, says Ready once the page answers
"""
