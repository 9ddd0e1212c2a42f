"""The rules on what was agreed: one function, one id, one citation each. Hub, portal and spoke run them alike."""

from bothways.pki.rule import Applicant, KnownKeys, Rule
from bothways.pki.rules.asked import SUBJECT
from bothways.pki.rules.judgement import RULES, Judgement, judge_request, request_findings

__all__ = ["RULES", "SUBJECT", "Applicant", "Judgement", "KnownKeys", "Rule", "judge_request", "request_findings"]
