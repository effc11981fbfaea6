"""Currencies by their ISO 4217 codes: how many digits stand behind the point."""

from __future__ import annotations

_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
XOF XPF YER ZAR ZMW ZWG
"""
CODES = tuple(_CODES.split())
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}


def digits(code: str) -> int:
    """How many decimal digits an amount has: 2, of some currencies 0 or 3."""
    return _DIGITS.get(code, 2)


def units(whole: str, fraction: str, code: str) -> int | None:
    """The minor units of an amount written `whole.fraction`; None when it has more digits than the currency."""
    places = digits(code)
    return int(whole + fraction.ljust(places, "0")) if len(fraction) <= places else None


def written(amount: int, code: str) -> str:
    """Minor units as they are written: 1250 of EUR is `12.50 EUR`."""
    places = digits(code)
    sign, number = ("-" if amount < 0 else ""), str(abs(amount)).rjust(places + 1, "0")
    return f"{sign}{number[:-places]}.{number[-places:]} {code}" if places else f"{sign}{number} {code}"
