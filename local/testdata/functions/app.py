def handler(event, context):
    return {"statusCode": 200, "body": f"python {event['requestContext']['authorizer']['principalId']}"}
