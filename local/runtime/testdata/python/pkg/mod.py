def run(event, context):
    return __name__
