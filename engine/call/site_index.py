"""Look-ups over one site: who dials from where, and what a dialled number means. Derived, never encoded."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from engine.dialplan.model import AgentModel, NumberModel, OutboundRule, Site, TenantModel, TrunkModel, matches
from engine.dialplan.number_plans import spellings

KEYS = "+0123456789*#ABCD"


class SiteIndex:
    """Tenants by domain and realm, trunks by source address, numbers and agents by what was dialled."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.by_domain: dict[str, TenantModel] = {}
        self.by_realm: dict[str, TenantModel] = {}
        for tenant in site.tenants.values():
            self.by_realm[tenant.realm] = tenant
            if tenant.domain:
                self.by_domain[tenant.domain.lower()] = tenant
        self.default = site.tenants.get("default") or next(iter(site.tenants.values()))
        self.renamed = {old: key for key, queue in site.queues.items() for old in queue.was}
        self.urgent: dict[str, str] = {}  # as it may be dialled, with and without the digits for a line -> the number
        if site.emergency is not None:
            lines = [rule.pattern[: rule.strip] for rule in site.outbound if rule.pattern[: rule.strip].isdigit()]
            for prefix in dict.fromkeys(("", *site.emergency.prefixes, *lines)):
                self.urgent |= {prefix + number: number for number in site.emergency.numbers}
        self.trunk_hosts: dict[str, TrunkModel] = {}
        self.trunk_networks: list[tuple[IPv4Network | IPv6Network, TrunkModel]] = []
        self.accounts: dict[str, TrunkModel] = {}  # "tenant/user" -> the trunk whose box registers so
        for trunk in site.trunks.values():
            self.accounts |= {f"{trunk.tenant}/{user}": trunk for user in trunk.accounts}
            for address in trunk.addresses or ((trunk.host,) if trunk.host else ()):
                self._add_address(address, trunk)

    def _add_address(self, address: str, trunk: TrunkModel) -> None:
        if "/" in address:
            self.trunk_networks.append((ip_network(address, strict=False), trunk))
        else:
            self.trunk_hosts.setdefault(address, trunk)

    def tenant(self, domain: str) -> TenantModel:
        """The tenant that a phone names by its domain; the default one for an address or an unknown name."""
        return self.by_domain.get(domain.lower(), self.default)

    def trunk_at(self, host: str, port: int) -> TrunkModel | None:
        """The trunk whose address this source is: "host:port" before host before network."""
        trunk = self.trunk_hosts.get(f"{host}:{port}") or self.trunk_hosts.get(host)
        if trunk is not None or not self.trunk_networks:
            return trunk
        try:
            address = ip_address(host)
        except ValueError:
            return None
        for network, candidate in self.trunk_networks:
            if address in network:
                return candidate
        return None

    def number(self, dialled: str, tenant: str) -> NumberModel | None:
        """A number of the platform; an agent's tenant may have its own of the same name ("tenant/number")."""
        numbers = self.site.numbers
        return numbers.get(f"{tenant}/{dialled}") or numbers.get(dialled)

    def agent(self, tenant: str, number: str) -> AgentModel | None:
        return self.site.agents.get(f"{tenant}/{number}")

    def outbound(self, tenant: str, team: str, dialled: str) -> tuple[OutboundRule, str] | None:
        """The first rule of the tenant that matches and whose teams allow it, with the number to send."""
        for rule in self.site.outbound:
            allowed = not rule.teams or team in rule.teams or team == "*"
            if rule.tenant == tenant and allowed and matches(rule.pattern, dialled):
                return rule, rule.prepend + dialled[rule.strip :]
        return self._outbound_whole(tenant, team, dialled) if dialled.startswith("+") else None

    def _outbound_whole(self, tenant: str, team: str, number: str) -> tuple[OutboundRule, str] | None:
        """E.164 that nobody dials so: by the first rule for one of the ways in which people here dial it."""
        for rule in self.site.outbound:
            trunk = self.site.trunks.get(rule.trunk)
            allowed = not rule.teams or team in rule.teams or team == "*"
            if rule.tenant != tenant or not allowed or trunk is None or trunk.numbers is None:
                continue
            line = rule.pattern[: rule.strip]  # the digits for a line
            for spelling in spellings(number, trunk.numbers):
                if matches(rule.pattern, spelling) or (line.isdigit() and matches(rule.pattern, line + spelling)):
                    return rule, number
        return None
