"""Callbacks: what happens to a customer's orders is told to his own server, so that nobody needs to poll.

An outbox. A message is a row, written in the transaction of the change it tells of; a job sends what is due. `signing`
makes secrets and signatures, `checking` says which addresses are taken, `addresses` and `outbox` hold the verbs,
`claiming` decides who sends which message and keeps what came of it, `delivering` is the job's turn.
"""
