"""The transport to upstream panels: one request, one deadline, and the truth about whether anything was sent.

`addresses` decides where a socket may go, `sockets` and `connections` keep the deadline and the mark "began to write",
`sessions` pools connections by provider, `transport` makes one exchange, `limits` shares rate and places among workers.
"""
