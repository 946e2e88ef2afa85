"""A stack of template.yaml on a server that speaks AWS's protocols (moto), and ways to break it.

    stack.py URL make                what `sam deploy` would make, and a user who may see everything
    stack.py URL break WHAT…         one thing after the other goes wrong
    stack.py URL user ACTIONS…       a user who may do that much; prints access key and secret

The template is translated by SAM's own translator, and the server's CloudFormation makes what it knows of it. What that
doesn't know is made here, call by call, of the same translated template.
"""

import io
import json
import sys
import zipfile

import boto3
from botocore.config import Config
from cfnlint.decode.cfn_yaml import load
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "eu-central-1"
ACCOUNT = "123456789012"
BUCKET = f"chalkreel-{ACCOUNT}-{REGION}"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:chalkreel"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:chalkreel"
LETTERS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:chalkreel-failed-events"
url = sys.argv[1]


def client(service):
    keys = {"aws_access_key_id": "AK", "aws_secret_access_key": "SK"}
    once = Config(retries={"max_attempts": 1})
    return boto3.client(service, endpoint_url=url, region_name=REGION, config=once, **keys)


s3, functions, sqs, iam = (client(service) for service in ("s3", "lambda", "sqs", "iam"))


def queue(name):
    return sqs.get_queue_url(QueueName=f"chalkreel-{name}")["QueueUrl"]


def translated():
    """The template as CloudFormation gets it, with its parameters' defaults in place."""
    template = json.loads(json.dumps(load("template.yaml")))
    for resource in template["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][code] = "s3://code/code.zip"
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    session = boto3.Session(region_name=REGION)
    template = Translator({}, Parser(), boto_session=session).translate(template, defaults)
    # Of these the server can't make anything.
    for part in ("Rules", "Outputs"):
        template.pop(part, None)
    return template, defaults


def make():
    template, parameters = translated()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bootstrap", "#!/bin/sh\n")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="code", Key="code.zip", Body=archive.getvalue())
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="chalkreel", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
    )
    resources = template["Resources"]

    def plain(value):
        """References to parameters, and the few names that are needed here, as values."""
        if isinstance(value, list):
            return [plain(item) for item in value if item != {"Ref": "AWS::NoValue"} and "Fn::If" not in item]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return parameters[value["Ref"]]
        if "Fn::GetAtt" in value:
            return {"RenderFunction": FUNCTION, "FailedEvents": LETTERS}[
                value["Fn::GetAtt"][0]
            ]
        return {name: plain(item) for name, item in value.items()}

    bucket = resources["FilmBucket"]["Properties"]
    s3.put_public_access_block(
        Bucket=BUCKET, PublicAccessBlockConfiguration=bucket["PublicAccessBlockConfiguration"]
    )
    rules = []
    for rule in plain(bucket["LifecycleConfiguration"]["Rules"]):
        new = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
        if "ExpirationInDays" in rule:
            new["Expiration"] = {"Days": rule["ExpirationInDays"]}
        if "AbortIncompleteMultipartUpload" in rule:
            new["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
        rules.append(new)
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    told = plain(bucket["NotificationConfiguration"]["LambdaConfigurations"])
    trigger([(one["Function"], one["Event"], one["Filter"]["S3Key"]["Rules"]) for one in told])

    render = resources["RenderFunction"]["Properties"]
    arns = []
    for reference in render["Layers"]:
        name = f"chalkreel-{reference['Ref'].removesuffix('Layer').rstrip('0123456789abcdef').removesuffix('Layer').lower()}"
        content = {"S3Bucket": "code", "S3Key": "code.zip"}
        arns.append(functions.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"])
    functions.update_function_configuration(FunctionName="chalkreel", Layers=arns)
    again(plain(render["EphemeralStorage"]["Size"]))
    invoke = next(one for one in resources.values() if one["Type"] == "AWS::Lambda::EventInvokeConfig")
    functions.put_function_event_invoke_config(
        FunctionName="chalkreel", DestinationConfig=plain(invoke["Properties"]["DestinationConfig"])
    )
    door = next(one for one in resources.values() if one["Type"] == "AWS::Lambda::Url")
    functions.create_function_url_config(FunctionName="chalkreel-http", AuthType=plain(door["Properties"]["AuthType"]))


def again(scratch):
    """The function anew: its scratch space can't be given otherwise here."""
    name = {"FunctionName": "chalkreel"}
    now = functions.get_function_configuration(**name)
    reserved = functions.get_function_concurrency(**name).get("ReservedConcurrentExecutions")
    statements = json.loads(functions.get_policy(**name)["Policy"])["Statement"]
    (source,) = functions.list_event_source_mappings(**name)["EventSourceMappings"]
    try:
        failures = functions.get_function_event_invoke_config(**name)["DestinationConfig"]
    except functions.exceptions.ResourceNotFoundException:
        failures = None
    functions.delete_event_source_mapping(UUID=source["UUID"])
    functions.delete_function(**name)
    kept = ("Runtime", "Role", "Handler", "Timeout", "MemorySize", "Environment", "Architectures")
    functions.create_function(
        **name,
        **{key: now[key] for key in kept},
        Code={"S3Bucket": "code", "S3Key": "code.zip"},
        Layers=[layer["Arn"] for layer in now["Layers"]],
        EphemeralStorage={"Size": scratch},
    )
    for one in statements:
        principal = one["Principal"]["Service"]
        functions.add_permission(**name, StatementId=one["Sid"], Action=one["Action"], Principal=principal)
    if reserved is not None:
        functions.put_function_concurrency(**name, ReservedConcurrentExecutions=reserved)
    if failures is not None:
        functions.put_function_event_invoke_config(**name, DestinationConfig=failures)
    functions.create_event_source_mapping(
        **name, EventSourceArn=source["EventSourceArn"], FunctionResponseTypes=source["FunctionResponseTypes"]
    )


def trigger(told):
    configurations = [
        {"LambdaFunctionArn": function, "Events": [event], "Filter": {"Key": {"FilterRules": rules}}}
        for function, event, rules in told
    ]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": configurations}
    )


def settings(**changes):
    now = functions.get_function_configuration(FunctionName="chalkreel")["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName="chalkreel", Environment={"Variables": {**now, **changes}})


def function(**changes):
    functions.update_function_configuration(FunctionName="chalkreel", **changes)


def attributes(name, **changes):
    sqs.set_queue_attributes(QueueUrl=queue(name), Attributes=changes)


def drop_layer():
    layers = functions.get_function_configuration(FunctionName="chalkreel")["Layers"]
    function(Layers=[layer["Arn"] for layer in layers if ":chalkreel-ffmpeg:" not in layer["Arn"]])


def mapping():
    return functions.list_event_source_mappings(FunctionName="chalkreel")["EventSourceMappings"][0]["UUID"]


BREAKS = {
    "encryption": lambda: s3.delete_bucket_encryption(Bucket=BUCKET),
    "privacy": lambda: s3.delete_public_access_block(Bucket=BUCKET),
    "lifecycle": lambda: s3.delete_bucket_lifecycle(Bucket=BUCKET),
    # Uploads are told to somebody else.
    "trigger": lambda: s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": LETTERS, "Events": ["s3:ObjectCreated:*"]}]},
    ),
    "loop": lambda: trigger([(FUNCTION, "s3:ObjectCreated:*", [{"Name": "prefix", "Value": "films/"}])]),
    "visibility": lambda: attributes("lessons", VisibilityTimeout="900"),
    "redrive": lambda: attributes("lessons", RedrivePolicy=""),
    "queue": lambda: sqs.delete_queue(QueueUrl=queue("lessons")),
    "letter": lambda: sqs.send_message(QueueUrl=queue("failed-events"), MessageBody="poison"),
    "memory": lambda: function(MemorySize=512),
    "scratch": lambda: again(512),
    "runtime": lambda: function(Runtime="python3.13"),
    "layer": drop_layer,
    "job-timeout": lambda: settings(JOB_TIMEOUT="900"),
    "setting": lambda: settings(MANIM_TIMEOUT="soon"),
    "bucket-setting": lambda: settings(CHALKREEL_BUCKET="another"),
    "concurrency": lambda: functions.put_function_concurrency(
        FunctionName="chalkreel", ReservedConcurrentExecutions=0
    ),
    "machine-setting": lambda: settings(CHALKREEL_STATE_MACHINE=f"{MACHINE}-of-old"),
    "machine": lambda: client("stepfunctions").delete_state_machine(stateMachineArn=MACHINE),
    "mapping": lambda: functions.delete_event_source_mapping(UUID=mapping()),
    "failed-events": lambda: functions.delete_function_event_invoke_config(FunctionName="chalkreel"),
    "function": lambda: functions.delete_function(FunctionName="chalkreel"),
    "open-door": lambda: functions.update_function_url_config(FunctionName="chalkreel-http", AuthType="NONE"),
    "http-function": lambda: functions.delete_function(FunctionName="chalkreel-http"),
}


def user(actions):
    iam.create_user(UserName="looker")
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="looker", PolicyName="looks", PolicyDocument=policy)
    key = iam.create_access_key(UserName="looker")["AccessKey"]
    print(key["AccessKeyId"], key["SecretAccessKey"])


match sys.argv[2:]:
    case ["make"]:
        make()
    case ["break", *what]:
        for one in what:
            BREAKS[one]()
    case ["user", *actions]:
        user(actions)
    case _:
        sys.exit(__doc__)
