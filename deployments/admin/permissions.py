"""Who may deploy where: viewing, deploying to staging and to production are three things.

The permissions stand on Environment (deployments/models/environments.py); a superuser has them all.
"""

from typing import Any

from deployments.models import Environment


def needed_to_deploy(environment: Environment) -> str:
    """Name the permission for everything that changes what an environment serves, or may."""
    place = "production" if environment.protected else "staging"
    return f"deployments.deploy_to_{place}"


def may_deploy(user: Any, environment: Environment) -> bool:
    """Tell whether a user may promote to, roll back and freeze an environment."""
    return bool(user.has_perm(needed_to_deploy(environment)))
