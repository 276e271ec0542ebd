"""Who may deploy where. Viewing, deploying to staging and to production are separate permissions.

Environment's Meta declares them; a superuser has them all.
"""

from typing import Any

from deployments.models import Environment


def needed_to_deploy(environment: Environment) -> str:
    """Return the permission needed to deploy to, roll back or freeze an environment."""
    place = "production" if environment.protected else "staging"
    return f"deployments.deploy_to_{place}"


def may_deploy(user: Any, environment: Environment) -> bool:
    """Whether a user may deploy to, roll back and freeze an environment."""
    return bool(user.has_perm(needed_to_deploy(environment)))
