"""Makes the tokenizers and the token ids of this directory.

Run in this directory with Python 3.11, tokenizers 0.23.3 and sentencepiece 0.2.3:
    python make_golden.py
The training text is put together below from sentences written for this purpose.
"""

import io
import json
import random
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent

SENTENCES = """
The carpenter measured the plank twice and cut it once, because wood doesn't grow back.
She'll arrive at 10:45 with 3 boxes, 27 letters and about 1234567 grains of sand.
I've never seen a lighthouse that wasn't lonely; they're built to be alone.
We'd better hurry: the ferry won't wait, and I'm not swimming 400 metres.
A small engine hums behind the wall, and nobody knows who's tending it.
In 2031 the bridge will be 100 years old, give or take 12 days.
def area(width, height):\n    return width * height  # square metres
if (count[i] != 0) { total += count[i]; }\r\nelse { skip(); }\r\n
Der Bäcker öffnet früh, und die Straße riecht nach Brot und Äpfeln.
L'été dernier, nous avons dîné près de la rivière à côté du moulin.
El niño pequeño soñó con un pingüino que tocaba el piano en la playa.
Żółta łódź płynie powoli przez mgłę, a gęsi śpią na brzegu.
Старый мост скрипит зимой, когда по нему идут тяжёлые телеги.
Το μικρό καράβι ταξίδεψε όλη νύχτα ανάμεσα στα νησιά.
זקן אחד ישב ליד החלון וספר את הציפורים.
جلس الصياد على الصخرة ينتظر أن تهدأ الريح.
小さな店で古い時計を直す人がいます。今日は雨です。
河边的老人每天早上喂鸽子，然后慢慢走回家。
작은 새가 창문을 두드리고 나서 멀리 날아갔다.
पुराना पेड़ गाँव के बीच में खड़ा है और छाया देता है।
ลมเย็นพัดผ่านทุ่งนาในตอนเช้า
""".strip().split("\n")

TEXTS = [
    "", " ", "  ", "   ", "\n", "\t", "\r\n", " \n ", "\n\n\n", "a", " a", "a ", "  a  ", "\ta\t",
    "hello world", " hello  world ", "The carpenter doesn't know; they're here, I'VE SEEN IT'S.",
    "'s 't 're 've 'm 'll 'd 'S 'T 'RE 'Ve 'M 'lL 'D '\u017f '\u017fa 'x 's's ''s 'r 'v 'l '",
    "can't'll I'ddd we'veve it'\u017f \u2019s don\u2019t",
    "1 12 123 1234 12345 1234567 1,234.50 3rd x2y 10:45 \u00bd \u2167 \u0663\u0664\u0665\u0666 \u00b2\u00b3",
    "a1b22c333d4444", "foo_bar-baz.qux(quux) != [corge] && !grault;",
    "tabs\tand\t\ttabs   spaces \t mixed\n\n  indent\r\n\r\n\r\nend\r\rx \r\n y",
    "nbsp\u00a0\u00a0x \u00a0 y\u2028line\u2029par\u0085nel\u3000wide\u200bzero\ufeffbom\u2003em",
    "line one\n  line two\n\n\n   line three   \n   ", "!!!\n\n??? ...\r\n", " !\n", "\n !", "a\n", "\u00a0!",
    "\x00\x01\x1f\x7f\x80\x9f control\x0b\x0c", "e\u0301 \u00e9 a\u030a\u0327 A\u0327\u030a \u212b \u1e9b\u0323 \uac00 \u1100\u1161\u11a8",
    "q\u0307\u0323 \u0958 \u2adc \ufb1d \U0001d15e \u0344 \u0340\u0341 \u0f73\u0f71\u0f72\u0f74",
    "\u0301 starts with a mark", "S\u0307\u0323\u0307 \u0344\u0301",
    "Der B\u00e4cker \u00f6ffnet; L'\u00e9t\u00e9; ping\u00fcino; \u017b\u00f3\u0142ta \u0142\u00f3d\u017a",
    "\u0421\u0442\u0430\u0440\u044b\u0439 \u043c\u043e\u0441\u0442 \u0441\u043a\u0440\u0438\u043f\u0438\u0442", "\u03a4\u03bf \u03bc\u03b9\u03ba\u03c1\u03cc \u03ba\u03b1\u03c1\u03ac\u03b2\u03b9",
    "\u05d6\u05e7\u05df \u05d0\u05d7\u05d3 \u05d9\u05b8\u05e9\u05b7\u05c1\u05d1 \u200f\u202eabc\u202c", "\u062c\u0644\u0633 \u0627\u0644\u0635\u064a\u0651\u0627\u062f \u0661\u0662\u0663",
    "\u5c0f\u3055\u306a\u5e97\u3067\u53e4\u3044\u6642\u8a08\u3092\u76f4\u3059\u3002\u30ab\u30bf\u30ab\u30ca \uff11\uff12\uff13\uff01", "\u6cb3\u8fb9\u7684\u8001\u4eba\uff0c\u6bcf\u5929\u65e9\u4e0a\u3002\U00020000\U0002a6d6",
    "\uc791\uc740 \uc0c8\uac00", "\u092a\u0941\u0930\u093e\u0928\u093e \u092a\u0947\u0921\u093c \u0967\u0968\u0969", "\u0e25\u0e21\u0e40\u0e22\u0e47\u0e19 \u0e51\u0e52", "\u12a0\u121b\u122d\u129b \u1369", "\u10e5\u10d0\u10e0\u10d7\u10e3\u10da\u10d8 \u1c90", "\u0905\u200d\u0906\u200c\u0907",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f3fd \u2764\ufe0f \U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 #\ufe0f\u20e3",
    "\u088f \u0c5c \ua7cf \U00010940 \U0001e6c0\u00e9 \U0002b73a \U000323b0 \U00011de0\U00011de5 1\U00016ff4 2",
    "\U0010fffe \ue000 \U000e0041 \ufffd \uffff",
    "mixed\u0430lph\u0430bets\u05d0\u05d1\u4e2d\u6587abc123\u0664def", "x" * 40, "ab" * 33, "\u2581" * 5 + " \u2581a", "a \u2581 b\u2581c", " " * 37 + "x",
    "<|endoftext|>", "a<|endoftext|>b", "a <|endoftext|> b", "<|endoftext|><|endoftext|>", "<|endoftext|", "<<|endoftext|>>",
    "a  <|left|>  b", "a  <|right|>  b", "a \u00a0\n<|both|>\t\u3000 b", "<|left|> <|left|>", "<|right|> <|left|> <|both|> <|both|>", "  <|both|>  ",
    "a solo b", "asolo solob solo_ \u00e9solo solo\u0301 (solo) solo", "solo", "solosolo solo", "solo\u200dx",
    "<|pair|>", "<|pair|><|more|>", "<|pair|><|mor", "x <|plain|> y", "x<|plain|>y", " <|plain|>", "\u212bngstr\u00f6m \u00c5ngstr\u00f6m A\u030angstr\u00f6m",
    "<s>hello</s>", "hello</s> world", "<unk>", "<0x41><0x0A> <0xZZ>",
]


def training_text():
    random.seed(7)
    lines = []
    for _ in range(600):
        words = " ".join(random.sample(SENTENCES, 2)).split(" ")
        first = random.randrange(len(words))
        lines.append(" ".join(words[first:] + words[:first]) + "\n" * random.randint(0, 2))
    return lines


# content, special, normalized, single_word, lstrip, rstrip
ADDED = [
    ("<|endoftext|>", True, False, False, False, False),
    ("<|left|>", False, False, False, True, False),
    ("<|right|>", False, False, False, False, True),
    ("<|both|>", True, True, False, True, True),
    ("solo", False, True, True, False, False),
    ("<|pair|>", False, False, False, False, False),
    ("<|pair|><|more|>", False, False, False, False, False),
    ("<|plain|>", False, True, False, False, False),
    ("\u212bngstr\u00f6m", False, True, False, False, False),
]


def add_tokens(tokenizer):
    for content, special, normalized, single_word, lstrip, rstrip in ADDED:
        token = AddedToken(content, special=special, normalized=normalized, single_word=single_word,
                           lstrip=lstrip, rstrip=rstrip)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])


def template(tokenizer, first, last=None):
    tokens = [t for t in (first, last) if t]
    return processors.TemplateProcessing(
        single=f"{first} $A" + (f" {last}" if last else ""),
        special_tokens=[(t, tokenizer.token_to_id(t)) for t in tokens])


HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def split(numbers):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(HEAD + numbers + TAIL), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])


def byte_level(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    tokenizer.pre_tokenizer = {
        "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "opt": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "prefixed": pre_tokenizers.ByteLevel(add_prefix_space=True),
        "llama3": split(r"\p{N}{1,3}"),
        "qwen2": split(r"\p{N}"),
    }[name]
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>"] if name == "opt" else []
    tokenizer.train_from_iterator(training_text(), trainers.BpeTrainer(
        vocab_size={"gpt2": 900, "opt": 700, "prefixed": 500, "llama3": 1100, "qwen2": 900}[name],
        special_tokens=specials, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False))
    return tokenizer


def whole_words(tokenizer):
    """Adds tokens that no merges make, which only ignore_merges finds."""
    document = json.loads(tokenizer.to_str())
    for word in ["\u0120lighthouses", "zzyzx", "x" * 40, "\u0120\u0120\u0120"]:
        document["model"]["vocab"].setdefault(word, len(document["model"]["vocab"]))
    return Tokenizer.from_str(json.dumps(document))


def sentencepiece_model():
    output = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line.rstrip("\n") for line in training_text()), model_writer=output,
        model_type="bpe", vocab_size=900, byte_fallback=True, character_coverage=0.98,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, num_threads=1, minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_proto=output.getvalue())


def from_sentencepiece(processor):
    """The merges of a piece are all its splits into two pieces; the best score goes first."""
    size = processor.get_piece_size()
    vocabulary = {processor.id_to_piece(i): i for i in range(size)}
    merges = []
    for piece, i in vocabulary.items():
        if processor.is_byte(i) or processor.is_control(i) or processor.is_unknown(i):
            continue
        halves = [(piece[:k], piece[k:]) for k in range(1, len(piece))]
        merges += [(-processor.get_score(i), vocabulary[a], vocabulary[b], a, b)
                   for a, b in halves if a in vocabulary and b in vocabulary]
    merges = [(a, b) for _, _, _, a, b in sorted(merges)]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>",
                                     fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True)
                                  for t in ["<unk>", "<s>", "</s>"]])
    return tokenizer


def llama2(tokenizer):
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    return tokenizer


def metaspace(tokenizer, scheme, is_split):
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        replacement="\u2581", prepend_scheme=scheme, split=is_split)
    tokenizer.decoder = decoders.Sequence([
        decoders.ByteFallback(), decoders.Metaspace(replacement="\u2581", prepend_scheme=scheme)])
    return tokenizer


def no_fallback(tokenizer, is_fused):
    """A model without byte tokens, so that unknown scalars become <unk>."""
    document = json.loads(tokenizer.to_str())
    document["model"]["byte_fallback"] = False
    document["model"]["fuse_unk"] = is_fused
    return Tokenizer.from_str(json.dumps(document))


def ids(tokenizer):
    return {
        "plain": [tokenizer.encode(t, add_special_tokens=False).ids for t in TEXTS],
        "special": [tokenizer.encode(t).ids for t in TEXTS],
        "decoded": [tokenizer.decode(tokenizer.encode(t).ids, skip_special_tokens=False)
                    for t in TEXTS],
    }


def save(name, tokenizer, configuration=None):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    document = json.loads(tokenizer.to_str())
    (folder / "tokenizer.json").write_text(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
    if configuration:
        (folder / "tokenizer_config.json").write_text(json.dumps(configuration, indent=2) + "\n")
    return ids(tokenizer)


def save_pair(name, tokenizer):
    """vocab.json and merges.txt, with the special tokens in the way of OPT."""
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    tokenizer.model.save(str(folder))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_prefix_space": False,
        "bos_token": {"__type": "AddedToken", "content": "</s>", "lstrip": False,
                      "normalized": True, "rstrip": False, "single_word": False},
        "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"}, indent=2) + "\n")
    specials = ["</s>", "<pad>"]
    fresh = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    fresh.pre_tokenizer = tokenizer.pre_tokenizer
    fresh.decoder = tokenizer.decoder
    fresh.add_special_tokens(specials)
    fresh.post_processor = template(fresh, "</s>")
    return ids(fresh)


def main():
    golden = {}
    (HERE / "cases").mkdir(exist_ok=True)
    for name in ["gpt2", "llama3", "qwen2", "prefixed"]:
        tokenizer = byte_level(name)
        if name == "llama3":
            tokenizer = whole_words(tokenizer)
        add_tokens(tokenizer)
        if name == "llama3":
            tokenizer.post_processor = processors.Sequence([
                processors.ByteLevel(trim_offsets=False),
                template(tokenizer, "<|endoftext|>", "<|both|>")])
        golden[name] = save(name, tokenizer)
    golden["opt"] = save_pair("opt", byte_level("opt"))

    processor = sentencepiece_model()
    for name in ["llama2", "metaspace-first", "metaspace-always", "unknown", "unknown-fused"]:
        tokenizer = llama2(from_sentencepiece(processor))
        if name.startswith("metaspace"):
            tokenizer = llama2(from_sentencepiece(processor))
            tokenizer.normalizer = None
            tokenizer = metaspace(tokenizer, name[10:], is_split=name.endswith("always"))
        if name.startswith("unknown"):
            tokenizer = no_fallback(tokenizer, is_fused=name.endswith("fused"))
        add_tokens(tokenizer)
        tokenizer.post_processor = template(tokenizer, "<s>")
        golden[name] = save(name, tokenizer, {"bos_token": "<s>", "eos_token": "</s>"})
    marks = [content for content, *_ in ADDED] + ["<s>", "</s>", "<unk>"]
    golden["llama2"]["sentencepiece"] = [
        None if any(mark in text for mark in marks) else processor.encode(text) for text in TEXTS]

    write_lines("texts", {"texts": TEXTS})
    for name, columns in golden.items():
        write_lines(name, columns)


def write_lines(name, columns):
    """A file with one column to a line."""
    inner = ",\n".join(f'"{key}":' + json.dumps(value, separators=(",", ":"))
                       for key, value in columns.items())
    (HERE / "cases" / f"{name}.json").write_text("{" + inner + "}\n")


if __name__ == "__main__":
    main()
