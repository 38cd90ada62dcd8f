"""For all tests: what Hypothesis tries depends on the test alone, and on no clock.

Hypothesis also tries constants that it finds in whatever modules happen to be imported; a hunt
would then differ with the order of tests and with every line added elsewhere. The hunts name their
own values. An example may take as long as the machine needs.
"""

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

_NO_CONSTANTS = providers.Constants()
providers._get_local_constants = lambda: _NO_CONSTANTS
settings.register_profile("hansa", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hansa")
