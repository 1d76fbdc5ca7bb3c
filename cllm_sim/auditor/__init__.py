"""The auditor: what a C program's threading really does, measured against a plan.

    sources -> syntax -> program -> outline -> roles -> flow -> inventory -> rules, requirements, skeleton -> result

`sources` finds files, `syntax` reads one (the only place that knows the parser), `program` links them; `outline` says
what each function does to shared things, `roles` which threads there are, `flow` what a thread does step by step.
Rules of this package: evidence comes from code, never from comments; names may propose, never prove; a finding is
data; what could not be read or told is said.
"""
