-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
--
-- Host: localhost    Database: phpipam
-- ------------------------------------------------------
/*!40101 SET NAMES utf8mb4 */;

DROP TABLE IF EXISTS `ipTags`;
CREATE TABLE `ipTags` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `type` varchar(32) DEFAULT NULL,
  `showtag` tinyint(1) DEFAULT '1',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `ipTags` VALUES (1,'Offline',1),(2,'Used',0),(3,'Reserved',1),(4,'DHCP',1);

CREATE TABLE `ipaddresses` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `subnetId` int unsigned DEFAULT NULL,
  `ip_addr` varchar(100) NOT NULL,
  `is_gateway` tinyint(1) NOT NULL DEFAULT '0',
  `description` varchar(64) DEFAULT NULL,
  `hostname` varchar(255) DEFAULT NULL,
  `mac` varchar(20) DEFAULT NULL,
  `owner` varchar(128) DEFAULT NULL,
  `state` int DEFAULT '2',
  `note` text,
  `custom_ticket` varchar(64) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
LOCK TABLES `ipaddresses` WRITE;
INSERT INTO `ipaddresses` VALUES (1,4,'168427777',1,'','gw',NULL,NULL,2,NULL,NULL),(2,4,'168427783',0,'Color; (2nd)','printer','00-11-22-33-44-55','Ada',3,NULL,'T-1');
INSERT INTO `ipaddresses` VALUES (3,5,'336294684201234316072892587747630383109',0,'line\nbreak',NULL,NULL,NULL,2,NULL,NULL);
UNLOCK TABLES;

CREATE TABLE `sections` (
  `id` int NOT NULL AUTO_INCREMENT,
  `name` varchar(128) NOT NULL DEFAULT '',
  `description` text,
  `masterSection` int DEFAULT '0',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `sections` VALUES (2,'Customers','Section for customers',0);

CREATE TABLE `subnets` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `subnet` varchar(255) DEFAULT NULL,
  `mask` varchar(3) DEFAULT NULL,
  `sectionId` int unsigned DEFAULT NULL,
  `description` text,
  `vrfId` int unsigned DEFAULT NULL,
  `masterSubnetId` int unsigned NOT NULL DEFAULT '0',
  `vlanId` int unsigned DEFAULT NULL,
  `isFolder` tinyint(1) DEFAULT '0',
  `isPool` tinyint(1) DEFAULT '0',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `subnets` VALUES
(2,'168427520','16',2,'Region',NULL,0,NULL,0,0),
(3,'0','',2,'Berlin',NULL,0,NULL,1,0),
(4,'168427776','24',2,'Office; it\'s "big"',NULL,3,1,0,0),
(5,'336294684201234316072892587747630383104','64',2,'IPv6',1,0,NULL,0,0),
(6,'168427904','26',2,'Pool',NULL,4,NULL,0,1);

INSERT INTO `vlanDomains` (`id`,`name`,`description`) VALUES (1,'default','default L2 domain');

INSERT INTO `vlans` (`vlanId`,`domainId`,`name`,`number`,`description`) VALUES (1,1,'Office LAN',120,NULL);

INSERT INTO `vrf` (`vrfId`,`name`,`rd`,`description`) VALUES (1,'Red','65000:1','');

-- Dump completed on 2026-03-01 12:00:00
