"""The dialect: what a provider's answers mean. Pure functions from an `Answer` to the types of `providers.outcomes`.

Liberal in what is read, strict in what is decided. One module an action (`listings`, `adding`, `statuses`, `wishes` for
refills and cancellations, `balances`); under them `transport` (what the HTTP status decides), `shapes` (which record
is whose), `errors` and `refusals` (what is an error, and why), `words`, `numbers` and `body`.
"""
