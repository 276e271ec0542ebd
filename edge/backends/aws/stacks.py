"""CloudFormation stacks, changed by change sets, and distributions: what `provision` calls.

A change set is made, read, then executed or withdrawn; nothing changes before it is executed.
Source: the CloudFormation API reference (CreateChangeSet, DescribeChangeSet, ExecuteChangeSet,
"Stack status codes").
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from edge.backends.aws import clients
from edge.backends.aws.clients import GLOBAL_REGION
from edge.backends.aws.errors import code_of, setting_up, translated
from edge.errors import BackendUnavailable, StaleEtag
from edge.provisioning.stacks import (
    Change,
    ChangeSet,
    FoundDistribution,
    Say,
    StackHost,
    StackState,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef
    from mypy_boto3_cloudfront import CloudFrontClient

# Seconds between two checks: an emulator answers at once, a distribution takes minutes.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# A distribution usually takes less than 10 minutes.
WAIT_SECONDS = 45 * 60
# CloudFormation's messages for an empty change set.
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
# The template or a parameter is refused; sending it again would not help.
REFUSALS = {"ValidationError", "InsufficientCapabilitiesException", "LimitExceededException"}


class CloudFormationStacks:
    """A StackHost."""

    def __init__(
        self, cloudformation: "CloudFormationClient", cloudfront: "CloudFrontClient"
    ) -> None:
        self._cloudformation = cloudformation
        self._cloudfront = cloudfront

    def state(self, name: str) -> StackState | None:
        with translated(f"Reading the stack {name}"):
            try:
                found = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as error:
                # It has no error code of its own.
                if "does not exist" in str(error):
                    return None
                raise
        return _state(found)

    def template(self, name: str) -> dict[str, Any]:
        with translated(f"Reading the template of {name}"):
            body: Any = self._cloudformation.get_template(StackName=name)["TemplateBody"]
        template: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)
        return template

    def propose(
        self,
        name: str,
        template: Mapping[str, Any],
        parameters: Mapping[str, str | None],
        *,
        create: bool,
        description: str,
        tags: Mapping[str, str],
    ) -> ChangeSet:
        token = f"qdn-{time.time_ns()}"
        with translated(f"Making a change set for {name}"):
            try:
                made = self._cloudformation.create_change_set(
                    StackName=name,
                    ChangeSetName=token,
                    # A request repeated after its answer was lost is the same request.
                    ClientToken=token,
                    ChangeSetType="CREATE" if create else "UPDATE",
                    Description=description[:1024],
                    TemplateBody=json.dumps(template, separators=(",", ":")),
                    Parameters=[_parameter(key, text) for key, text in parameters.items()],
                    Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
                )
            except ClientError as error:
                if code_of(error) not in REFUSALS:
                    raise
                return ChangeSet("", "", (), failure=error.response["Error"].get("Message", ""))
        return self._change_set(made["Id"], made["StackId"])

    def withdraw(self, change_set: ChangeSet) -> None:
        if not change_set.id:
            return
        with translated("Deleting the change set"):
            self._cloudformation.delete_change_set(ChangeSetName=change_set.id)
        self.clear(change_set.stack_id)

    def clear(self, stack_id: str) -> None:
        state = self.state(stack_id)
        if state is not None and state.is_empty:
            with translated(f"Deleting the empty stack {state.name}"):
                self._cloudformation.delete_stack(StackName=stack_id)
            self.wait(stack_id)

    def execute(self, change_set: ChangeSet) -> None:
        with translated("Executing the change set"):
            try:
                self._cloudformation.execute_change_set(
                    ChangeSetName=change_set.id,
                    # Repeated after its answer was lost, it is the same request.
                    ClientRequestToken=change_set.id.rpartition("/")[2],
                )
            except ClientError as error:
                if code_of(error) in {"InvalidChangeSetStatus", "ChangeSetNotFound"}:
                    raise StaleEtag(
                        "Another operator changed the stack in the meantime.",
                        "Run the command again to see the remaining changes.",
                    ) from error
                raise

    def wait(
        self, stack_id: str, *, since: frozenset[str] = frozenset(), say: Say | None = None
    ) -> StackState:
        seen = set(since)
        state = StackState(name=stack_id, id=stack_id, status="DELETE_COMPLETE")
        for _ in _checks(f"the stack {stack_id}"):
            state = self.state(stack_id) or state
            for event in self._events(stack_id) if say else []:
                is_end = event.get("ResourceStatus", "").endswith(("_COMPLETE", "_FAILED"))
                if say and is_end and event["EventId"] not in seen:
                    say(f"{event['LogicalResourceId']}: {event['ResourceStatus']}")
                seen.add(event["EventId"])
            if not state.status.endswith("_IN_PROGRESS"):
                break
        return state

    def event_ids(self, stack_id: str) -> frozenset[str]:
        return frozenset(event["EventId"] for event in self._events(stack_id))

    def failures(self, stack_id: str, *, since: frozenset[str]) -> list[str]:
        return [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in self._events(stack_id)
            if event["EventId"] not in since
            and event.get("ResourceStatus", "").endswith("_FAILED")
            # The others were cancelled because of the first failure.
            and "cancelled" not in event.get("ResourceStatusReason", "")
        ]

    def distribution(self, distribution: str) -> FoundDistribution | None:
        with translated(f"Reading the distribution {distribution}"):
            try:
                found = self._cloudfront.get_distribution(Id=distribution)["Distribution"]
            except ClientError as error:
                if code_of(error) == "NoSuchDistribution":
                    return None
                raise
        return _distribution(found)

    def _change_set(self, name: str, stack_id: str) -> ChangeSet:
        found: Any = {}
        for _ in _checks("the change set"):
            with translated("Reading the change set"):
                found = self._cloudformation.describe_change_set(ChangeSetName=name)
            if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
        reason = found.get("StatusReason", "") if found["Status"] == "FAILED" else ""
        if any(text in reason for text in NO_CHANGES):
            reason = ""
        return ChangeSet(name, stack_id, tuple(map(_change, found.get("Changes", []))), reason)

    def _events(self, stack_id: str) -> list[Any]:
        """Return the newest page of events, oldest first."""
        with translated("Reading the stack's events"):
            found = self._cloudformation.describe_stack_events(StackName=stack_id)
        return list(reversed(found["StackEvents"]))


def _checks(what: str) -> Iterator[None]:
    """Yield until the caller stops, with growing pauses. Raises BackendUnavailable."""
    until, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE
    while time.monotonic() < until:
        yield
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    raise BackendUnavailable(
        f"After {WAIT_SECONDS // 60} minutes {what} is still in progress.",
        "Check it in the CloudFormation console, and wait until it is done.",
    )


def _parameter(key: str, text: str | None) -> "ParameterTypeDef":
    if text is None:
        return {"ParameterKey": key, "UsePreviousValue": True}
    return {"ParameterKey": key, "ParameterValue": text}


def _change(found: Any) -> Change:
    change = found["ResourceChange"]
    return Change(
        action=change["Action"],
        resource=change["LogicalResourceId"],
        type=change["ResourceType"],
        replacement=change.get("Replacement", "") if change["Action"] == "Modify" else "",
    )


def _state(found: Any) -> StackState:
    return StackState(
        name=found["StackName"],
        id=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        parameters={
            item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])
        },
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])},
    )


def _distribution(found: Any) -> FoundDistribution:
    config = found["DistributionConfig"]
    domains = {item["Id"]: item["DomainName"] for item in config["Origins"]["Items"]}
    behaviours = [
        *(
            (item["PathPattern"], item)
            for item in config.get("CacheBehaviors", {}).get("Items", [])
        ),
        ("*", config["DefaultCacheBehavior"]),
    ]
    return FoundDistribution(
        id=found["Id"],
        domain=found["DomainName"],
        aliases=tuple(config.get("Aliases", {}).get("Items", [])),
        origins=tuple(
            (pattern, domains.get(item["TargetOriginId"], "")) for pattern, item in behaviours
        ),
    )


def get_stacks() -> StackHost:
    """Return the stacks of the account in the AWS_* variables. Raises BackendUnavailable."""
    with setting_up():
        session = boto3.session.Session()
        config = clients.PATIENCE.config()
        # The session's region: the bucket is made in the stack's.
        return CloudFormationStacks(
            session.client("cloudformation", config=config),
            session.client("cloudfront", session.region_name or GLOBAL_REGION, config=config),
        )
