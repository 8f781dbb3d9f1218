"""How gunicorn serves under the fuzzer: as in production, without a word about its coming and going."""

from smmpanel.serving import *  # noqa: F403
from smmpanel.serving import logconfig_dict

logconfig_dict["loggers"]["gunicorn.error"]["level"] = "WARNING"
