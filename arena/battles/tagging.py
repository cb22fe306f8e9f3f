"""Which categories a prompt belongs to, by its text alone: explicit signs, in English, French and
Chinese.

A tag is set where the text says so itself, and not where it only might be meant; what each tag
looks for is told, with how often it agrees with a classifier's, in docs/operations.md. Every
pattern looks a bounded distance ahead, so the time is linear in whatever a stranger writes.
"""

import re
from collections.abc import Iterable

from ranking.covariates import count_tokens, split_code

CODE, MATH, CREATIVE, INSTRUCTIONS = "code", "math", "creative_writing", "if"
SHORT, LONG = "short_prompt", "long_prompt"
OF_PROMPTS, OF_RULES = "prompts.", "rule."
"""What the tags begin with that prompts' own categories and operators' rules make."""
CRITERIA = (
    *("complexity", "creativity", "domain_knowledge", "problem_solving"),
    *("real_world", "specificity", "technical_accuracy"),
)
"""What a judge may say of a prompt; one that meets six is called hard."""

SHORT_TOKENS, LONG_TOKENS = 20, 500
# What is asked for stands at an end of a long prompt, and what lies between is pasted.
READ_FIRST, READ_LAST = 4_000, 2_000


def tags_of(text: str) -> dict[str, bool]:
    """Each tag that a text alone decides, and whether the text has it."""
    tokens = count_tokens(text)
    prose, blocks = split_code(text)
    prose = ends_of(prose)
    is_code = blocks > 0 or has_code(prose)
    return {
        CODE: is_code,
        MATH: any_in(MATH_SIGNS, prose) or (not is_code and has_numbers_to_work_out(prose)),
        CREATIVE: asks_for_invention(prose),
        INSTRUCTIONS: any_in(CONSTRAINTS, prose),
        SHORT: tokens <= SHORT_TOKENS,
        LONG: tokens >= LONG_TOKENS,
    }


def ends_of(text: str) -> str:
    if len(text) <= READ_FIRST + READ_LAST:
        return text
    return f"{text[:READ_FIRST]}\n{text[-READ_LAST:]}"


def any_in(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


# -- Code ------------------------------------------------------------------------------------


def has_code(prose: str) -> bool:
    """Whether text outside of fences holds code, or asks for some."""
    if any_in(CODE_SIGNS, prose):
        return True
    return sum(1 for _ in CODE_LINE.finditer(prose)) >= 2


# Two such lines are code; one may be a sentence.
CODE_LINE = re.compile(
    r"^[ \t]*(?:[^\n]{1,200}[;{}]|(?:if|for|while|switch)\b ?\([^\n]{1,200}|return\b[^\n]{0,200}"
    r"|[\w.\[\]]{1,60} ?[-+*/]?= ?[^\n=]{1,200}\)|</?[a-z][^>\n]{0,200}>[^\n]{0,200})[ \t]*$",
    re.MULTILINE,
)
CODE_SIGNS = (
    re.compile(
        r"^[ \t]*(?:def \w{1,60}\(|class \w{1,60}[(:{]|import \w|from [\w.]{1,60} import "
        r"|#include ?[<\"]"
        r"|(?:public|private|static) (?:static |final |class |void |int )|function \w{0,60}\("
        r"|(?:const|let|var|\$\w{1,60}) ?\w{0,60} ?=|SELECT\b.{1,300}\bFROM\b"
        r"|CREATE TABLE\b|<\?php|#!/)",
        re.MULTILINE,
    ),
    re.compile(
        r"\bSELECT [^\n]{1,300}\bFROM \w|console\.log\(|System\.out\.|Traceback \(most recent"
        r"|\bprintf?\(\"|\w\(\) ?(?:=>|\{)|NullPointerException|\b(?:Type|Syntax|Name|Key)Error\b"
    ),
    # Names that are nothing else than a language, a library or a tool of programmers.
    re.compile(
        r"(?<![\w.])(?:javascript|typescript|c\+\+|c#|golang|kotlin|php|haskell|node\.?js|reactjs"
        r"|vue\.?js|next\.?js|numpy|pytorch|tensorflow|django|postgresql|postgres|mysql|sqlite"
        r"|sql|regex|regexp|powershell|dockerfile|docker|kubernetes|github|leetcode|html5?|css"
        r"|vba|autohotkey|arduino|fastapi|tailwind|ffmpeg|ansible|terraform|dataframe|webgl"
        r"|(?<!monty )(?<!ball )(?<!burmese )python3?)(?!\w)",
        re.IGNORECASE | re.ASCII,
    ),
    re.compile(
        r"\b(?:in|using|with|en|avec|用|使用)\s?(?:java|rust|ruby|swift|perl|matlab|bash"
        r"|lua|scala|r studio)\b"
        r"|\b(?:java|rust|ruby|swift|perl|bash|matlab|lua|shell|excel|react|flask|api|program\w{0,5})"
        r" (?:code|scripts?|functions?|class(?:es)?|programs?|errors?|modules?|librar(?:y|ies)"
        r"|component|app|endpoint|formulas?)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:write|fix|debug|refactor|optimi[sz]e|review|run|compile|implement|test)\b"
        r"[^.!?\n]{0,40}\b(?:code|algorithm|unit tests?|shell script|web ?scraper)\b"
        r"|\b(?:code snippet|source code|my code|this code|pull request|merge conflict"
        r"|regular expression|stack trace|unit tests?|load balancer|rest api|api key"
        r"|git (?:commit|rebase|merge|push|pull|clone))\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:code source|bout de code|mon code|ce code|débogu\w{1,4}|expression régulière)\b"
        r"|\bécri\w{1,4} (?:un|une|du) (?:script|code|fonction python|programme en)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"代码|代碼|编程|編程|正则表达式|单元测试|爬虫|写(?:一个)?[^。！？\n]{0,12}(?:脚本|函数|程序)"
    ),
)

# -- Mathematics -----------------------------------------------------------------------------

ARITHMETIC = re.compile(r"\d ?[*×÷^] ?\d|(?<![\w.])\d{1,18}(?:\.\d{1,9})? ?\+ ?\d{1,18}(?![\w/])")
NUMBER = re.compile(r"\d{1,18}")
HOW_MANY = re.compile(
    r"\bhow (?:many|much) (?:\w{1,20} ){1,5}(?:left|remain|have|altogether|in total)\b",
    re.IGNORECASE,
)


def has_numbers_to_work_out(prose: str) -> bool:
    """A calculation, or two numbers and the question how many there are in the end."""
    if ARITHMETIC.search(prose):
        return True
    return bool(HOW_MANY.search(prose)) and len(NUMBER.findall(prose)) >= 2


MATH_SIGNS = (
    re.compile(
        r"\\(?:frac|int|sum|sqrt|lim|prod|binom|mathbb|begin\{(?:equation|align|[bp]?matrix|cases))"
        r"|[∫∑√∂∇≤≥∞∈∀∃]|\b[a-z]\^\{?\d|\b[a-z][²³]"
    ),
    # An unknown within an equation, and not an assignment or a formula of letters alone.
    re.compile(r"(?<![\w.])\d{0,6}[xyznt] ?[-+*/] ?\d{1,9}[^\n]{0,40}=|= ?\d{1,9}[xyz]\b"),
    re.compile(
        r"\b(?:solve for [a-z]\b|(?:linear|quadratic|differential|simultaneous) equations?"
        r"|solve (?:the|this|these|following) (?:equations?|system|inequalit\w{1,3}|integral)"
        r"|(?:derivative|integral|determinant|inverse|roots?|limit) of|integrate (?:the|x|\d)"
        r"|eigenvalues?|eigenvectors?|polynomials?|theorem|lemma|logarithms?|trigonometr\w{1,3}"
        r"|calculus|algebra|geometry|combinatorics|prime numbers?|square root|factorial"
        r"|greatest common divisor|least common multiple|hypotenuse|standard deviation"
        r"|probability (?:of|that)|what is the probability|sum of the first|times tables?"
        r"|math(?:s|ematics|ematical)? (?:problem|question|exercise|homework|proof|puzzle))\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:prove|show) that\b[^.!?\n]{0,80}(?:\b(?:sum|integers?|converges?|divisible|even"
        r"|odd|prime|irrational|continuous|triangle|matrix)\b|[=<>≤≥²])",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:équations?|intégrale de|dérivée de|théorème|polynômes?|racine carrée"
        r"|nombres? premiers?|probabilité (?:de|que|d'))\b|\bdémontr\w{1,3} que\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"方程|不等式|积分|積分|求导|导数|微分|定理|特征值|行列式|因式分解|平方根|质数|素数|概率"
        r"|勾股|三角函数|等差数列|等比数列"
    ),
)

# -- Creative writing ------------------------------------------------------------------------

# What is asked for stands close behind the verb, in the same sentence.
INVENTION = (
    re.compile(
        r"\b(?:write|compose|create|make up|draft|continue|generate|invent|tell me|craft|give me"
        r"|finish)\b[^.!?\n]{0,60}?\b(?:poems?|poetry|haikus?|sonnet|limericks?|stor(?:y|ies)"
        r"|fairy ?tale|tale|fable|novella?|novel|fan ?fic(?:tion)?|screenplay|song|lyrics|rap"
        r"|monologue|ballad|parody|jokes?|villanelle|epilogue|love letter|bedtime story)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:écri\w{1,4}|compose[rz]?|raconte[rz]?(?:-moi)?|invente[rz]?|imagine[rz]?"
        r"|continue[rz]?)\b[^.!?\n]{0,60}?\b(?:poèmes?|haïkus?|haikus?|sonnet|conte"
        r"|une (?:\w{1,20} )?histoire"
        r"|fable|nouvelle|roman|chanson|paroles|blagues?|monologue|scénario)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:写|寫|创作|創作|编|編|讲|講|续写|續寫)[^。！？\n]{0,16}?"
        r"(?:诗|詩|故事|小说|小說|歌词|歌詞|剧本|劇本|童话|童話|散文|俳句|情书|情書|笑话|笑話)"
    ),
    re.compile(r"\b(?:role-?play|let's roleplay|world-?building)\b", re.IGNORECASE),
)
# Writing about a text, stories of other trades, and the story of something that happened.
NO_INVENTION = re.compile(
    r"summar|analy|review|essay|translat|critique|explain|report|outline|user stor|news stor"
    r"|cover stor|instagram stor|code|résum|tradui|critiqu"
    r"|总结|總結|分析|翻译|翻譯|评论|代码",
    re.IGNORECASE,
)


def asks_for_invention(prose: str) -> bool:
    """Whether a text asks for a poem, a story or the like to be made."""
    found = (match[0] for pattern in INVENTION for match in pattern.finditer(prose))
    return any(not NO_INVENTION.search(request) for request in found)


# -- Instruction following -------------------------------------------------------------------

_NUMBER = (
    r"(?:\d{1,6}(?: ?(?:-|–|to|à) ?\d{1,6})?|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix)"
)
CONSTRAINTS = (
    # How long, how many.
    re.compile(
        rf"\b{_NUMBER}[- ](?:words?|sentences?|paragraphs?|bullet points?|bullets|characters?"
        r"|stanzas?|syllables?|mots|phrases|paragraphes|puces|caractères|strophes|lignes)\b"
        rf"|\b(?:in|exactly|at most|at least|no more than|maximum|under) {_NUMBER} "
        r"(?:lines?|points|items|steps|pages|tokens)\b",
        re.IGNORECASE,
    ),
    # What must not be there.
    re.compile(
        r"\bwithout (?:using|mentioning|saying|including|naming)\b"
        r"|\b(?:do not|don't|don’t|never|avoid|must not|should not|shouldn't)"
        r" (?:use|using|mention\w{0,3}|includ(?:e|ing)|repeat\w{0,3}|start\w{0,3}|begin\w{0,4}"
        r"|exceed\w{0,3}|output)\b"
        r"|\bno (?:more|longer|fewer|less) than \d|\bno (?:explanations?|preamble|markdown|emojis?"
        r"|comments|introduction|commentary|intro|bullet points|headings)\b"
        r"|\bsans (?:utiliser|employer|mentionner|inclure|dire)\b"
        r"|\bn(?:e |['’])(?:utilise|mentionne|emploie|inclu|commence)\w{0,3} (?:pas|aucun)",
        re.IGNORECASE,
    ),
    # In which form.
    re.compile(
        r"\b(?:only (?:answer|respond|reply|output|return|use|include)|(?:answer|respond|reply"
        r"|output|return) only|nothing else|just the (?:answer|number|name|code))\b"
        r"|\b(?:as|in|into|using|en|sous forme de|dans) (?:an? |une? |valid |strict )*"
        r"(?:json|yaml|xml|csv|markdown|tables?|tableau|bullet(?:ed)? (?:points?|list)|bullets"
        r"|numbered list|liste numérotée|all caps|uppercase|lowercase|majuscules)\b"
        r"|\b(?:each|every|chaque) (?:line|sentence|paragraph|word|answer|item|verse|phrase|ligne)"
        r" (?:must|should|has to|needs to|starts?|begins?|ends?|doit|commence)\b"
        r"|\b(?:must|should|has to|doit) (?:be (?:at least|at most|under|between|exactly)"
        r"|start with|begin with|end with|contain|rhyme|commencer par|contenir)\b"
        r"|\b(?:start|begin|end) (?:your|the|each|every) [^.!?\n]{1,30}? with\b"
        r"|\b(?:strictly|exactly) (?:follow|as)\b|\buse the (?:following|exact) format\b"
        r"|\b(?:follow|using) (?:this|these|the following) (?:format|template|rules|structure)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"[\d一二两三四五六七八九十百千]{1,8} ?[个個条條]?(?:字(?![母符段])|句|段|词|要点|要點)"
        r"|不要(?:使用|用|提|包含|出现|超过|解释)|不超过|不得|必须(?:以|用|包含)"
        r"|只(?:回答|输出|返回|需要输出|给出)|(?:以|用)(?:表格|列表|JSON|json|Markdown|markdown)"
        r"|(?:表格|JSON|json|列表)(?:的)?(?:形式|格式)"
    ),
)

# -- What is known of recorded prompts -------------------------------------------------------

# How people call a category that a text is looked at for as well.
SAME_AS = {
    **dict.fromkeys(("code", "coding", "programming"), CODE),
    **dict.fromkeys(("math", "maths", "mathematics"), MATH),
    **dict.fromkeys(("creative_writing", "creative"), CREATIVE),
    **dict.fromkeys(("if", "instruction_following"), INSTRUCTIONS),
}
NO_PART_OF_A_NAME = re.compile(r"\W+")


def own_tags(category: str) -> dict[str, bool]:
    """The tag of a recorded prompt's own category: one of the field's where it is the same."""
    name = NO_PART_OF_A_NAME.sub("_", category.strip().lower()).strip("_")
    if not name:
        return {}
    return {SAME_AS.get(name, OF_PROMPTS + name): True}
