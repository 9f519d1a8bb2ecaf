"""Remove what the setup made, step by step. Each step looks first, so that all of it can be repeated.

endpoint   Discord sends interactions there no more
commands   nobody is offered them any more
policy     detached from the roles of programs: else the stack cannot be deleted
stack      everything of AWS's, but for the table
token      the SSM parameter
table      kept, unless its name is given

steps      the steps in their order
removal    what is deleted in the AWS account
"""
