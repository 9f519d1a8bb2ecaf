"""Set up a deployment from the bot's token alone, step by step. Each step looks first, and changes only what differs.

application   who the token belongs to: the id, the public key and the present endpoint
account       the AWS credentials and region, the account's concurrency, and the state of the stack
token         the SSM parameter with the token
stack         build and deploy
table         protect it against deletion
endpoint      wait until the endpoint answers as Discord expects, and tell Discord its address
commands      register the slash commands
invitation    the scopes and permissions that an invitation asks for, and the link to it

steps         the steps in their order
sam           build and deploy
"""
