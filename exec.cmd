@rem For npm on Windows, whose shell has no exec: package.json uses it so that signals reach the server itself.
@%*
