"""Who may deploy where. Viewing, deploying to staging and to production are separate permissions.

Environment's Meta declares them; a superuser has them all.
"""

from typing import Any

from deployments.models import Environment

TO_STAGING, TO_PRODUCTION = "deployments.deploy_to_staging", "deployments.deploy_to_production"


def needed_to_deploy(environment: Environment) -> str:
    """Return the permission needed to deploy to, roll back or freeze an environment."""
    return TO_PRODUCTION if environment.protected else TO_STAGING


def may_deploy(user: Any, environment: Environment) -> bool:
    """Whether a user may deploy to, roll back and freeze an environment."""
    return bool(user.has_perm(needed_to_deploy(environment)))


def may_deploy_somewhere(user: Any) -> bool:
    """Whether a user may deploy to some environment, if there is one."""
    return bool(user.has_perm(TO_STAGING) or user.has_perm(TO_PRODUCTION))
