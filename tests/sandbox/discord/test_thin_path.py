"""The product's whole way on the real client: log in, register, be commanded, let a payer in, give and take a role, write to them."""

from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import discord
from discord import app_commands
from discord.http import Route

from tests.sandbox.discord.conftest import REDIRECT, Bot, Connect, Rig


def plans(bot: Bot) -> None:
    root = app_commands.Group(name="doorman", description="Sell memberships")
    plan = app_commands.Group(name="plan", description="Plans", parent=root)

    @plan.command(name="create", description="Make a plan")
    async def create(interaction: discord.Interaction, name: str, price: str, role: discord.Role, trial_days: int = 0) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(content=f"{name} at {price} gives {role.name}, {trial_days} days free")

    bot.tree.add_command(root)


async def test_a_command_typed_by_a_person_reaches_the_client_and_its_edited_answer_comes_back(rig: Rig, connect: Connect) -> None:
    await connect(tree=plans)
    reply = await rig.ann.command(rig.server, "doorman plan create", name="Gold", price="9.99 USD", role=rig.server.role("Gold"))
    assert reply.text == "Gold at 9.99 USD gives Gold, 0 days free"
    assert reply.deferred
    assert reply.ephemeral


async def test_a_stranger_authorises_is_put_in_gets_the_role_and_a_message_and_loses_the_role_again(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    fan = rig.discord.people.user("fan")
    query = {
        "response_type": "code",
        "client_id": rig.served.client_id,
        "scope": "identify guilds.join",
        "state": "s3",
        "redirect_uri": REDIRECT,
    }
    landed = urlsplit(await fan.authorize(f"{rig.served.authorize_url}?{urlencode(query)}"))
    answer = parse_qs(landed.query)
    assert answer["state"] == ["s3"]

    form = {"grant_type": "authorization_code", "code": answer["code"][0], "redirect_uri": REDIRECT}
    login = {"Authorization": aiohttp.encode_basic_auth(rig.served.client_id, rig.served.client_secret)}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{rig.served.api_url}/oauth2/token", data=form, headers=login) as response:
            token = await response.json()
        header = {"Authorization": f"Bearer {token['access_token']}"}
        async with session.get(f"{rig.served.api_url}/users/@me", headers=header) as response:
            assert (await response.json())["id"] == str(fan.id)

    put = Route("PUT", "/guilds/{guild_id}/members/{user_id}", guild_id=rig.server.id, user_id=fan.id)
    member = await bot.http.request(put, json={"access_token": token["access_token"], "roles": []})
    assert member["user"]["id"] == str(fan.id)
    assert await bot.http.request(put, json={"access_token": token["access_token"], "roles": [str(rig.server.role("Gold").id)]}) == ""
    assert rig.server.roles_of(fan) == frozenset()

    gold = rig.server.role("Gold")
    await bot.http.add_role(rig.server.id, fan.id, gold.id, reason="Gold until 2 December")
    assert rig.server.roles_of(fan) == {"Gold"}
    assert rig.server.audit_log()[-1].reason == "Gold until 2 December"
    await bot.hears("member_update")

    await (await bot.fetch_user(fan.id)).send("Welcome!")
    assert (await fan.next_dm()).text == "Welcome!"

    await bot.http.remove_role(rig.server.id, fan.id, gold.id)
    assert rig.server.roles_of(fan) == frozenset()
