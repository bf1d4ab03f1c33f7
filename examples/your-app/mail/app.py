"""What reads the queue. It sees no requests, and so nobody's identity: what it has to know about a person stands in the message."""


def handler(event, context):
    for record in event["Records"]:
        print(f"mail {record['messageId']}")
