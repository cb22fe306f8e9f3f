"""How an answer says who it is and who made it, in the languages that people ask in.

Patterns are matched against one sentence in lower case, with single blanks, without quotation
marks and emphasis, and with § in the place of a name. Each begins at a word. None may match what
only mentions the name: `§ is a model`, `i am a fan of §`, `such as §, i think`.
"""

import re

# -- "I am §", "my name is §": the name follows at once ---------------------------------------

I_AM = (
    *("i am", "i'm", "je suis", "ich bin", "soy", "sou", "sou o", "sou a", "sono", "ik ben"),
    *("jag är", "jeg er", "olen", "jestem", "jsem", "sunt", "vagyok", "saya adalah", "aku adalah"),
    *("tôi là", "mình là", "я -", "είμαι ο", "είμαι το", "είμαι η", "أنا", "אני"),
    *("ฉันคือ", "ผมคือ", "我是", "我就是"),
)
MY_NAME_IS = (
    *("my name is", "my name's", "the name is", "the name's", "call me", "i am called"),
    *("i'm called", "i am named", "i'm named", "i go by", "i go by the name of", "i am known as"),
    *("i'm known as", "i identify as", "you are talking to", "you're talking to"),
    *("you are talking with", "you're talking with", "you are chatting with"),
    *("you're chatting with", "you are speaking with", "you're speaking with"),
    *("you are speaking to", "you're speaking to", "je m'appelle", "mon nom est", "je me nomme"),
    *("ich heiße", "ich heisse", "mein name ist", "hier spricht", "me llamo", "mi nombre es"),
    *("me chamo", "chamo-me", "meu nome é", "mi chiamo", "il mio nome è", "ik heet"),
    *("mijn naam is", "jag heter", "mitt namn är", "jeg hedder", "jeg heter", "mit navn er"),
    *("mitt navn er", "nimeni on", "nazywam się", "mam na imię", "jmenuji se", "mă numesc"),
    *("numele meu este", "a nevem", "меня зовут", "моё имя", "мое имя", "моё имя -", "мое имя -"),
    *("мене звати", "моє ім'я", "benim adım", "με λένε", "اسمي", "שמי", "मेरा नाम"),
    *("tên tôi là", "tên mình là", "nama saya", "nama saya adalah", "ฉันชื่อ", "ผมชื่อ"),
    *("我叫", "我叫做", "我名叫", "叫我", "我的名字是", "我的名字叫", "我的名字叫做"),
)
INTRODUCTIONS = (*I_AM, *MY_NAME_IS)

# Before a claim these make it what somebody thinks or denies: "you asked whether i am §".
DOUBTS = (
    *("if", "whether", "unless", "when", "while", "think", "thinks", "thought", "believe"),
    *("believes", "believed", "assume", "assumes", "assumed", "suppose", "imagine", "pretend"),
    *("say", "says", "said", "claim", "claims", "claimed", "suggest", "suggests", "suggested"),
    *("si", "quand", "wenn", "ob", "falls", "cuando", "quando", "se", "als", "если", "när", "om"),
    *("如果", "假如", "假设", "要是", "是否", "以为", "认为"),
    *("no", "not", "don't", "never", "não", "non", "nie", "nu", "не"),
)

# -- Words that patterns are made of ---------------------------------------------------------

NOUNS = (
    *("ai", "assistant", "model", "llm", "chatbot", "chat bot", "bot", "agent", "system"),
    *("assistante", "modèle", "modèle de langage", "ia", "intelligence artificielle", "modell"),
    *("sprachmodell", "ki", "ki-modell", "ki-assistent", "ki-assistentin", "ki-sprachmodell"),
    *("assistent", "assistentin", "modelo", "modelo de lenguaje", "modelo de linguagem"),
    *("asistente", "asistente de ia", "asistente virtual", "assistente", "assistente de ia"),
    *("assistente virtual", "assistente virtuale", "inteligencia artificial"),
    *("inteligência artificial", "modello", "modello linguistico", "intelligenza artificiale"),
    *("taalmodel", "ai-assistent", "ai-model", "språkmodell", "модель", "ассистент", "помощник"),
    *("ии", "ии-ассистент", "нейросеть"),
)
CALLED = (
    *("called", "named", "known as", "by the name of", "appelé", "appelée", "nommé", "nommée"),
    *("du nom de", "namens", "genannt", "llamado", "llamada", "chamado", "chamada", "chiamato"),
    *("chiamata", "di nome", "genaamd", "по имени", "под названием"),
)
BASED_ON = (
    *("based on", "built on", "powered by", "running on", "derived from", "a version of"),
    *("the latest version of", "a variant of", "an instance of", "a member of", "part of"),
)
MADE = (
    *("trained", "pretrained", "pre-trained", "made", "built", "developed", "created", "designed"),
    *("engineered", "programmed", "fine-tuned", "finetuned", "released", "launched", "produced"),
)
# What may stand between "by" and its maker: "by a team of researchers at §".
TEAM = (
    *("a", "an", "the", "team", "teams", "group", "of", "researchers", "research", "engineers"),
    *("scientists", "developers", "people", "folks", "experts", "company", "lab", "startup"),
    *("organization", "organisation", "at", "from", "ai", "tech", "called", "named"),
)
# What else may stand right before a name in the patterns below.
BY = ("by", "par", "von", "por", "pela", "pelo", "da", "dal", "dalla", "door")
OTHERS_BEFORE = (
    *("as", "que", "als", "como", "come", "quanto", "your", "'s", "is", "are", "this", "ben", "le"),
    *("la", "l", "d", "de", "der", "dem", "den", "firma", "unternehmen", "el", "o", "a", "equipo"),
    *("equipe", "empresa", "società", "azienda", "di", "het", "van", "creator", "creators"),
    *("developer", "developers", "maker", "makers"),
)
# Of every claim in plain ASCII at least one of these is a word: most sentences hold none, and
# are read no further.
SPEAKERS = frozenset(
    (
        *("i", "my", "me", "this", "here", "name", "you", "call", "je", "suis", "mon", "ich", "ik"),
        *("soy", "sou", "sono", "yo", "mi", "mis", "fui", "sido", "como", "come", "quanto", "eu"),
        *("meu", "io", "jag", "jeg", "mitt", "mit", "mijn", "mein", "hier", "olen", "nimeni"),
        *("jestem", "nazywam", "mam", "jsem", "jmenuji", "sunt", "vagyok", "nevem", "saya", "aku"),
        *("nama", "ben", "chamo"),
    )
)
SURELY = ("actually", "really", "indeed", "in fact", "simply", "just", "also", "still", "of course")


def one_of(words: tuple[str, ...]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})"


# These end a description of oneself: "i am a fan of the model" is none.
STOP = (
    r"(?:of|for|with|to|in|on|about|using|by|from|who|that|which|at|not|like|than|über|für|mit|"
    r"pour|avec|para|por|con|com|per|как|для)"
)
WORD = rf"(?!{STOP}\b)[^\s,§]+"
SELF = "(?:i am|i'm)"
SELVES = rf"(?:{SELF}|je suis|ich bin|soy|sou|sono|ik ben|jag är|я -|as|en tant qu[e'])"
# "i'm wren 2, a large language model …": who says what it is may say its name first.
NAME_FIRST = r"(?:[^,§]{1,60}(?:,| -) )?"
A_MODEL = rf"(?:{WORD} ){{0,7}}{one_of(NOUNS)}"
FIRST = r"(?:originally|actually|initially|first|jointly|primarily|specially|specifically)"
MADE_BY = (
    rf"(?:{FIRST} )?{one_of(MADE)}(?:(?:,|,? and|,? or) (?:{FIRST} )?{one_of(MADE)})* by"
    rf"(?: {one_of(TEAM)})*"
)

# -- Patterns around one's own name ----------------------------------------------------------

DESCRIBED = (
    rf"{SELVES},? {A_MODEL}(?:,| -|:)? §",
    rf"{SELVES},? {NAME_FIRST}{A_MODEL}(?: [^\s,§]+){{0,8}}? {one_of(CALLED)} §",
    rf"{SELF},? {one_of(SURELY)},? §",
    rf"{SELF} (?:{A_MODEL}(?:,| that is| which is)? )?{one_of(BASED_ON)}(?: the)? §",
    rf"{SELF} (?:an?|the|your) §(?: (?:ai|language|large language|chat))? {one_of(NOUNS)}\b",
    rf"{SELF} [^\s§]+'s (?:{WORD} ){{0,2}}§",
    r"this is § (?:speaking|here|talking|writing)\b",
    r"我是[^,.!?§]{0,24}(?:模型|助手|机器人|機器人|智能|ai) ?§",
    r"我是[^.!?§]{0,32}(?:叫|叫做|名叫|名为|名為|称为|稱為) ?§",
    r"(?:私|わたし|僕|ぼく|俺)(?:は|の名前は|の名は),? ?§ ?(?:です|だよ|と申|とい|と言|という|,)",
    r"(?:저는|나는|제 이름은|내 이름은) ?§ ?"
    r"(?:입니다|이에요|예요|라고|이라고|이라는|라는|이야|야\b)",
    r"मैं § (?:हूँ|हूं)",
)
# Where a clause begins, because "such as §, i …" and "with § here" mention others.
ANDS = ("and", "but", "so", "et", "und", "y", "e")
CLAUSE = "(?:^|(?<=[,:-] )" + "".join(rf"|(?<=\b{word} )" for word in ANDS) + ")"
SPEAKING_AS = (
    rf"{CLAUSE}as (?:the )?§(?:, [^,.§]{{1,60}})?,? (?:i|my|i'm|i've|i'd|i'll)\b",
    rf"{CLAUSE}en tant que §,? (?:je\b|j'|mon\b|ma\b|mes\b)",
    rf"{CLAUSE}als §,? (?:[^\s§]+ )?(?:ich|ik)\b",
    rf"{CLAUSE}como §, (?:yo|no|mis?|me|puedo|soy|estoy|tengo|eu|não|meu|posso|sou|estou|tenho)\b",
    rf"{CLAUSE}(?:come|in quanto) §, (?:io|non|posso|sono|ho|il mio|la mia)\b",
    rf"{CLAUSE}как §, я\b",
    r"(?:作为|身为|作為|身為) ?§,? ?我",
    r"§として,? ?(?:私|僕|わたし)",
    r"^(?:(?:hi|hello|hey|greetings|hallo|hola|bonjour|ciao)(?: there| again| everyone)?,? )?"
    r"§ here(?:$|,|\.|!| -| (?:to|with|again)\b)",
    r"^(?:merhaba,? |selam,? )?ben §",
)

# -- Patterns around the name of one's maker -------------------------------------------------

MADE_ZH = "(?:开发|训练|研发|创建|创造|打造|推出|制造|设计|開發|訓練|研發|創建|創造)"
MADE_ME = (
    rf"i(?: was| am|'m| have been|'ve been) {MADE_BY} §",
    rf"(?:{SELF}|as),? {NAME_FIRST}{A_MODEL}(?:,| -)? (?:(?:that|which|who) )?"
    rf"(?:(?:was|is|has been) )?(?:{MADE_BY}|from(?: {one_of(TEAM)})*|by(?: the)?) §",
    rf"{SELF} [^,§]{{1,60}}(?:,| -) {MADE_BY} §",
    rf"{SELF} §'s (?:{WORD} ){{0,4}}{one_of(NOUNS)}\b",
    r"my (?:creators?|developers?|makers?)(?:,| is| are| at)?(?: the)?(?: team at)? §",
    rf"§(?: team| researchers| engineers)? (?:has |have )?{one_of(MADE)}(?: and {one_of(MADE)})? "
    r"me(?:$|[.,!]| (?:to|as|with|using|for|so|and)\b)",
    r"(?:j'ai été|je suis) (?:[^\s§]+ ){0,9}(?:créé|développé|entraîné|conçu|formé|fabriqué)e?"
    r"(?: et [^\s§]+)? par (?:(?:la|le|l'équipe|l'entreprise|société|entreprise|de) )*(?:d')?§",
    r"ich (?:wurde|bin) (?:[^\s§]+ ){0,8}von (?:(?:der|dem|den|firma|unternehmen|team) )*§"
    r"(?:-team)?(?: [^\s§]+){0,3} (?:entwickelt|trainiert|erstellt|erschaffen|geschaffen|gebaut|"
    r"gemacht|programmiert)",
    rf"ich bin {NAME_FIRST}(?:{WORD} ){{0,6}}{one_of(NOUNS)} von §",
    r"(?:fui|he sido|soy|sou) (?:[^\s§]+ ){0,9}(?:cread|desarrollad|entrenad|diseñad|hech|criad|"
    r"desenvolvid|treinad|feit|projetad)[oa](?: [ye] [^\s§]+)? (?:por|pela|pelo) "
    r"(?:(?:el|la|o|a|equipo|equipe|empresa|de|da) )*§",
    r"sono (?:[^\s§]+ ){0,9}(?:creat|sviluppat|addestrat|progettat|realizzat)[oa](?: e [^\s§]+)? "
    r"da(?:l|lla)? (?:(?:team|società|azienda|di) )*§",
    r"ik (?:ben|werd) (?:[^\s§]+ ){0,9}(?:gemaakt|ontwikkeld|getraind|gebouwd) door "
    r"(?:(?:het|team|van) )*§",
    r"(?:я|меня) (?:[^\s§]+ ){0,9}(?:созда|разработа|обуч|натренирова)[^\s§]* "
    r"(?:(?:компани|команд)[^\s§]+ )?§",
    rf"我[^.!?§]{{0,24}}由 ?§[^.,§]{{0,10}}?{MADE_ZH}",
    rf"我是 ?§(?:公司|团队|團隊)?(?:自主)?{MADE_ZH}",
    r"(?:私|僕|わたし)は[^.!?§]{0,30}§(?:社|チーム)?(?:によって|により|が|に|の)[^.§]{0,16}"
    r"(?:開発|訓練|作成|作ら|作っ|設計|学習)",
    r"(?:저는|나는)[^.!?§]{0,30}§ ?(?:에서|가|이|의|사가|팀이)? ?[^.§]{0,12}"
    r"(?:개발|훈련|만든|만들|학습)",
)
