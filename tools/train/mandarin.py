"""Mandarin: what its synthetic voices say, and how characters sound. Every character is a word, as in the engine.

A syllable is an initial and a final, each a phone, without its tone: the grammars of menus hold few words that differ
in nothing else, and cepstra hardly hear tones. Readings come from pypinyin (MIT).
"""

from __future__ import annotations

import random
from functools import lru_cache
from importlib import import_module

from engine.speech import wording

INITIALS = "b p m f d t n l g k h j q x zh ch sh r z c s".split()
# Syllables without an initial, as pinyin spells them, and their finals.
_BARE = {
    "yi": "i", "ya": "ia", "ye": "ie", "yao": "iao", "you": "iu", "yan": "ian", "yin": "in", "yang": "iang",
    "ying": "ing", "yong": "iong", "yu": "v", "yue": "ve", "yuan": "van", "yun": "vn", "wu": "u", "wa": "ua",
    "wo": "uo", "wai": "uai", "wei": "ui", "wan": "uan", "wen": "un", "wang": "uang", "weng": "ueng", "yo": "o",
}  # fmt: skip
FINALS = """a ai an ang ao e ei en eng er i ia ian iang iao ie ii iii in ing iong iu o ong ou u ua uai
uan uang ueng ui un uo v van ve vn""".split()
PHONES = ["SIL", "NSN", *(phone.upper() for phone in (*INITIALS, *FINALS))]

MENU = """是 是的 不是 不 对 不对 好 好的 可以 不可以 确认 取消 返回 重复 再说一遍 继续 停止 帮助 人工
人工服务 客服 转人工 销售 技术支持 账单 余额 查询余额 付款 缴费 订单 订单状态 新订单 预约 挂号 投诉 建议
退货 退款 物流 发货 密码 修改密码 账户 信用卡 储蓄卡 挂失 激活 开户 话费 流量 套餐 宽带 报修 维修 安装
营业时间 地址 电话 留言 回电 主菜单 上一步 下一步 退出 再见 谢谢 你好 中文 英文 普通话 粤语 今天 明天
昨天 上午 下午 晚上 星期一 星期二 星期三 星期四 星期五 星期六 星期天 经理 财务 人事 前台 市场部 总机
接线员 医生 护士 药房 急诊""".split()
OTHER = """学校 老师 学生 朋友 城市 飞机 汽车 电脑 手机 音乐 电影 书 水 饭 面条 茶 咖啡 红色 蓝色 爸爸
妈妈 孩子 春天 秋天 北京 上海 广州 深圳 中国 世界 问题 时间 工作 公司 医院 银行 商店 路上 山 河 海 太阳
月亮 星星 跑步 游泳 唱歌 跳舞 睡觉 起床 回家 开门 关窗 高兴 难过 漂亮 聪明 努力 简单 困难 重要 新的 旧的
大的 小的 远 近 快 慢 热 冷 苹果 雨伞 房子 绿色 出租车 火车 衣服 鞋子 桌子 椅子 窗户 牛奶 面包 鸡蛋 米饭
因为 所以 但是 如果 虽然 已经 可能 需要 应该 喜欢 觉得 知道 认识 准备 开始 结束 参加 决定 介绍 解释""".split()
DIGITS = "零 一 二 三 四 五 六 七 八 九".split()
SPOKEN_DIGITS = [*DIGITS, "幺"]
FOREIGN = """今天天气很好 我想吃一个苹果 我的狗跑到街上去了 你能听到我说话吗 请等一下 火车几点开
我把雨伞忘在出租车上了 我不太确定 大象 土豆 让我想一想 他们去年夏天把房子刷成了绿色 你是谁
昨天有人告诉我这件事""".split()


def phones(syllable: str) -> tuple[str, ...]:
    """`zhuang` as ZH UANG, `yuan` as VAN; () for what is no syllable of Mandarin."""
    initial = next((each for each in sorted(INITIALS, key=len, reverse=True) if syllable.startswith(each)), "")
    final = syllable[len(initial) :] if initial else _BARE.get(syllable, syllable)
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    if initial and final == "i" and initial in ("zh", "ch", "sh", "r"):
        final = "iii"
    elif initial and final == "i" and initial in ("z", "c", "s"):
        final = "ii"
    final = {"ue": "ve"}.get(final, final)
    if final not in FINALS:
        return ()
    return (*([initial.upper()] if initial else []), final.upper())


@lru_cache(maxsize=1)
def words() -> dict[str, list[tuple[str, ...]]]:
    """Every character of GB 2312 with its readings, the usual one first."""
    pypinyin = import_module("pypinyin")
    found: dict[str, list[tuple[str, ...]]] = {}
    for code in range(0x4E00, 0x9FFF + 1):
        sign = chr(code)
        try:
            sign.encode("gb2312")
        except UnicodeEncodeError:
            continue
        readings = pypinyin.pinyin(sign, style=pypinyin.Style.NORMAL, heteronym=True, v_to_u=False)[0]
        ways = list(dict.fromkeys(filter(None, (phones(reading) for reading in readings))))
        if ways:
            found[sign] = ways
    found["幺"] = [phones("yao")]
    return found


def spaced(text: str) -> str:
    return " ".join(text.replace(" ", ""))


class Texts:
    """Draws texts, characters with spaces between them: menu words, digits, several of them, any words at all."""

    def __init__(self, seed: int, longest: int = 4) -> None:
        self.chance, self.longest = random.Random(seed), longest

    def draw(self) -> str:
        chance, kind = self.chance, self.chance.random()
        if kind < 0.3:
            return spaced(chance.choice(MENU))
        if kind < 0.36:
            return chance.choice(SPOKEN_DIGITS)
        if kind < 0.6:
            return " ".join(chance.choice(SPOKEN_DIGITS) for _ in range(chance.randint(2, 2 * self.longest)))
        if kind < 0.75:
            return spaced("".join(chance.choice(MENU) for _ in range(chance.randint(2, min(3, self.longest)))))
        return spaced("".join(chance.choice(OTHER) for _ in range(chance.randint(1, self.longest))))


# Kokoro's phonemes: what stands for initials and finals, `0` where the tone goes.
_SPOKEN_INITIALS = dict(zip(INITIALS, "p pʰ m f t tʰ n l k kʰ x ʨ ʨʰ ɕ ꭧ ꭧʰ ʂ ɻ ʦ ʦʰ s".split(), strict=True))
_SPOKEN_FINALS = dict(
    zip(FINALS, """a0 a0i a0n a0ŋ a0u ɤ0 e0i ə0n ə0ŋ ɚ0 i0 ja0 jɛ0n ja0ŋ ja0u je0 ɨ0 ɨ0 i0n i0ŋ jʊ0ŋ jo0u o0 ʊ0ŋ o0u u0
    wa0 wa0i wa0n wa0ŋ wə0ŋ we0i wə0n wo0 y0 ɥɛ0n ɥe0 y0n""".split(), strict=True)
)  # fmt: skip
_VOWELS = frozenset("aeiouyɤəɚ")
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘"}


def kokoro_phonemes(text: str) -> str:
    """Characters as Kokoro's Mandarin voices want them: IPA with an arrow for the tone behind the vowel."""
    spoken: list[str] = []
    signs = text.replace(" ", "")
    for at, syllable in enumerate(wording.pinyin(signs).split()):
        tone = _TONES.get(syllable[-1:], "")
        *initial, final = [""] if not (parts := phones(syllable.rstrip("12345").replace("ü", "v"))) else parts
        begun = "".join(_SPOKEN_INITIALS[part.lower()] for part in initial)
        said = begun + _SPOKEN_FINALS.get(final.lower(), "").replace("0", tone)
        # What begins with a vowel would melt into the syllable before it, and digits are said one by one.
        if spoken and (said[:1] in _VOWELS or set(signs[at - 1 : at + 1]) <= set(SPOKEN_DIGITS)):
            spoken.append(" ")
        spoken.append(said)
    return "".join(spoken)
