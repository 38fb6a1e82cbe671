"""Jobs of Amazon SageMaker that train, as they are configured."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from models.canonical import Duration, Frozen
from models.environments import Bucket, Credentials, Label

Word = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Subnet = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]+$")]
SecurityGroup = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]+$")]


class SageMakerTraining(Frozen):
    """A program in a container image, called as `command --request REQUEST.json --output DIR`.

    What it reads and leaves is below `folder` in S3. `isolated`: it reaches no network. `volume` is in gigabytes;
    SageMaker itself ends it after `at_most`. Without `credentials` they are found as boto3 finds them.
    """

    system: Literal["sagemaker"]
    region: Label
    role: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
    image: Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=255)]
    command: tuple[Word, ...] = Field(min_length=1, max_length=100)
    instance: Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9.-]+$")]
    folder: Bucket
    volume: int = Field(default=30, ge=1, le=16_384)
    at_most: Annotated[Duration, Field(ge=60, le=2_419_200)] = 43_200
    isolated: bool = True
    subnets: tuple[Subnet, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    credentials: Credentials | None = None

    @model_validator(mode="after")
    def _together(self) -> "SageMakerTraining":
        if bool(self.subnets) != bool(self.security_groups):
            raise ValueError("subnets and security_groups go together")
        return self
