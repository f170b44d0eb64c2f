"""How a client shows who it is."""

from __future__ import annotations

from enum import Enum

__all__ = ["AuthType"]


class AuthType(Enum):
    """How a client shows who it is."""

    STANDARD = "standard"
    BASIC = "basic"
    CLIENT_CREDENTIALS = "client_credentials"
    EXTERNAL_PROCESS = "external_process"
    CLIENTSECRET = "ClientSecret"
    PKCE = "Pkce"
    EXTERNALCOMMAND = "ExternalCommand"
    DEVICEFLOW = "DeviceFlow"
